// Amounts: exact decimals in text, never added across currencies. Sums are exact, too; only what is shown is rounded.

const DIGITS = 18n;
const UNIT = 10n ** DIGITS;

/** An amount as a whole number of 10^-18. @param {string | null} text @returns {bigint} */
export function exact(text) {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text ?? "0");
  if (!found) return 0n;
  const [, minus, whole, part = ""] = found;
  const value = BigInt(whole) * UNIT + BigInt(part.slice(0, Number(DIGITS)).padEnd(Number(DIGITS), "0"));
  return minus ? -value : value;
}

/** To the cent, for people: what is less than half of one is still not nothing. @param {bigint} amount */
export function money(amount) {
  const cent = UNIT / 100n;
  const size = amount < 0n ? -amount : amount;
  if (size > 0n && size < cent / 2n) return amount > 0n ? "<0.01" : ">-0.01";
  const cents = (size + cent / 2n) / cent;
  const whole = (cents / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${amount < 0n && cents ? "-" : ""}${whole}.${(cents % 100n).toString().padStart(2, "0")}`;
}

/** As a number, to draw with. @param {bigint} amount */
export function roughly(amount) {
  return Number(amount) / Number(UNIT);
}

/** The sum for each currency. @template T @param {(T & {currency: string})[]} items @param {(item: T) => string | null} amount @returns {Map<string, bigint>} */
export function currencies(items, amount) {
  const sums = new Map();
  for (const it of items) sums.set(it.currency, (sums.get(it.currency) ?? 0n) + exact(amount(it)));
  return sums;
}
