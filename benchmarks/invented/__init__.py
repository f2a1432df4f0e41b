"""Invented children in any number: those with relapsed leukaemia, told so that the right answer is known, and ordinary ones."""
