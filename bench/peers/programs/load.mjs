// Runs sagas as it is told on standard input; the same requests and answers as load.py.
import { createInterface } from "node:readline";

const ENDINGS = { "": "COMMITTED", gcp: "ROLLED_BACK" };

async function run(engine, { first, sagas, at_once, fail }) {
  let next = first;
  const milliseconds = [];
  const work = async () => {
    while (next < first + sagas) {
      const saga = `s${next++}`;
      const began = performance.now();
      const end = await engine.run(saga, fail);
      if (end !== ENDINGS[fail]) throw new Error(`${saga} has ended ${end}, not ${ENDINGS[fail]}`);
      milliseconds.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: at_once }, work));
  return { seconds: (performance.now() - began) / 1000, milliseconds };
}

async function obey(engine, order) {
  if (order.run) return run(engine, order.run);
  if (order.begin) {
    for (const saga of order.begin) await engine.begin(saga);
    return { begun: order.begin.length };
  }
  let finished = 0;
  for (const saga of order.finish) if ((await engine.finish(saga)) === "COMMITTED") finished += 1;
  return { finished };
}

export async function serve(engine) {
  const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  answer({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await obey(engine, JSON.parse(line)));
    } catch (error) {
      answer({ error: String(error) });
    }
  }
  process.exit(0);
}
