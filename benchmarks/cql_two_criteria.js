// Judge two criteria of many children with cql-execution: `node cql_two_criteria.js ELM BUNDLES AS_OF LIMIT`.
// BUNDLES holds one Bundle a line, one for each child. Prints one JSON object: seconds to read, seconds to judge, answers.
// The first children are judged once before the clock starts, so that the compiler of node is warm.

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

// The packages stand in the folder in which this is started, not beside this file.
const installed = createRequire(path.join(process.cwd(), 'package.json'));
const cql = installed('cql-execution');
const fhir = installed('cql-exec-fhir');

const WARM = 100; // children
const [elm, bundles, asOf, limit] = process.argv.slice(2);

function seconds(since) {
  return Number(process.hrtime.bigint() - since) / 1e9;
}

async function judged(executor, children) {
  const source = fhir.PatientSource.FHIRv401();
  source.loadBundles(children);
  return (await executor.exec(source)).patientResults;
}

async function main() {
  const reading = process.hrtime.bigint();
  const children = fs.readFileSync(bundles, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const read = seconds(reading);
  const library = new cql.Library(JSON.parse(fs.readFileSync(elm, 'utf8')));
  const executor = new cql.Executor(library, undefined, { 'As of': cql.Date.parse(asOf), Limit: Number(limit) });
  await judged(executor, children.slice(0, WARM));
  const judging = process.hrtime.bigint();
  const results = await judged(executor, children);
  const took = seconds(judging);
  const answers = {};
  for (const [id, result] of Object.entries(results)) {
    answers[id] = [result['At least 1 year'], result['Creatinine at most the limit']];
  }
  console.log(JSON.stringify({ read, judged: took, answers }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
