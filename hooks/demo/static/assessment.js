// The whole assessment as a table a clinician can check line by line.

import { make } from "./make.js";

const OVERALL = {
  not_applicable: "The trial does not concern this child",
  not_eligible: "At least one criterion blocks",
  insufficient_data: "Cannot tell yet",
  eligible_pending_clinician_review: "No blocking criterion found – needs clinician review",
};

// An exclusion that is "met" applies and blocks; a bare "met" would read as good news, so it is never shown.
const VERDICTS = {
  inclusion: { met: ["favourable", "✓", "met"], not_met: ["blocking", "✕", "not met"] },
  exclusion: { met: ["blocking", "✕", "applies"], not_met: ["favourable", "✓", "does not apply"] },
};
const NOT_KNOWN = ["unknown", "?", "not known"];

const BASES = {
  recorded: "recorded",
  derived: "computed",
  inferred: "implied by another result",
  assumed_absent: "no evidence found – please confirm",
  attested: "entered by a clinician",
};

export function assessmentPage(assessment) {
  const risk = assessment.risk ?? {};
  const overall = OVERALL[assessment.overall] ?? assessment.overall;
  return [
    make("dl.facts",
      fact("Overall", assessment.modifiable ? `${overall}, and that may change` : overall),
      fact("Risk rule", risk.words || (risk.group ?? (risk.possible ?? []).join(" or ")) || "not evaluated"),
      fact("Judged as of", dayWords(assessment.evaluated_as_of ?? assessment.as_of)),
      fact("Protocol text", `${assessment.protocol}, text of ${dayWords(assessment.text_version)}`)),
    ...noteList("Flags", (assessment.flags ?? []).map((flag) => flag.words)),
    ...noteList("Next steps", (assessment.next_steps ?? []).map((step) => step.words)),
    ...criteriaOf(assessment.criteria ?? [], "inclusion", "Inclusion criteria"),
    ...criteriaOf(assessment.criteria ?? [], "exclusion", "Exclusion criteria"),
    ...noteList("Seen and not used", (assessment.issues ?? []).map((issue) => `${issue.reference}: ${issue.words}`)),
    ...noteList("Not looked up", (assessment.not_looked_up ?? []).map((gap) => `${gap.search}: ${gap.words}`)),
  ];
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** 2025-06-19 is 19 Jun 2025, as everywhere else on the page. */
function dayWords(stated) {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(stated) ?? [];
  return year ? `${Number(day)} ${MONTHS[month - 1]} ${year}` : stated ?? "";
}

function fact(name, words) {
  return make("div", make("dt", name), make("dd", words));
}

function noteList(title, notes) {
  if (!notes.length) return [];
  return [make("h3.sub", title), make("ul.notes", ...notes.map((words) => make("li", words)))];
}

function criteriaOf(criteria, kind, title) {
  const rows = criteria.filter((criterion) => criterion.kind === kind).map(rowOf);
  if (!rows.length) return [];
  const headings = ["Id", "Criterion", "Verdict", "Why", "Basis"].map((name) => {
    const heading = make("th", name);
    heading.scope = "col";
    return heading;
  });
  const head = make("thead", make("tr", ...headings));
  return [make("table.criteria", make("caption", title), head, make("tbody", ...rows))];
}

function rowOf(criterion) {
  const [tone, mark, words] = VERDICTS[criterion.kind]?.[criterion.truth] ?? NOT_KNOWN;
  const sign = make("i", mark);
  sign.setAttribute("aria-hidden", "true");
  const name = make("th.name", criterion.name);
  name.scope = "row";
  const footing = [criterion.reason?.replaceAll("_", " "), BASES[criterion.basis]].filter(Boolean).join(" · ");
  return make("tr",
    make("td.id", criterion.id),
    name,
    make("td.verdict-cell", make(`span.verdict.${tone}`, sign, words)),
    make("td.words", criterion.words ?? ""),
    make("td.basis", footing));
}
