def write_report(a, s, p): p.write_text("")
