// The no-op activities for the engines on Node. SLOW in the environment is how long a poll takes, in seconds.
const SLOW = 1000 * Number(process.env.SLOW || 0);

export const CLOUDS = ["aws", "azure", "gcp"];

export class QuotaExceeded extends Error {
  constructor(message) {
    super(message);
    this.name = "QuotaExceeded";
  }
}

export const recordIntent = ({ saga, cloud }) => ({ intent: `${saga}/${cloud}` });

export const create = ({ saga, cloud, fail }) => {
  if (cloud === fail) throw new QuotaExceeded(`quota in ${cloud}`);
  return { id: `${cloud}-${saga}` };
};

export const describe = ({ n }) => {
  const answer = { ready: n >= 1, n: n + 1 };
  return SLOW ? new Promise((resolve) => setTimeout(() => resolve(answer), SLOW)) : answer;
};

export const commit = ({ saga }) => ({ committed: saga });

export const remove = ({ saga, cloud }) => ({ deleted: `${cloud}-${saga}` });

export const abort = ({ saga }) => ({ aborted: saga });
