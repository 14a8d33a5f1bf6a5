/** Sums of decimal texts, exact to the digit: amounts of money are never added as floating point. */

/** @param {string} text @returns {{units: bigint, digits: number}} `units` of 10^-digits */
function parse(text) {
  const [, sign, whole, part = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? ["", "", "0", ""];
  return { units: BigInt(sign + whole + part), digits: part.length };
}

/** @param {string[]} amounts @returns {string} without zeros at the end */
export function addExactly(amounts) {
  const parsed = amounts.map(parse);
  const digits = Math.max(0, ...parsed.map((one) => one.digits));
  const sum = parsed.reduce(
    (total, one) => total + one.units * 10n ** BigInt(digits - one.digits),
    0n,
  );
  return write(sum, digits);
}

/** @param {bigint} units @param {number} digits */
function write(units, digits) {
  const sign = units < 0n ? "-" : "";
  const text = String(units < 0n ? -units : units).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const part = text.slice(text.length - digits).replace(/0+$/, "");
  return sign + whole + (part && `.${part}`);
}

/** The same amount without zeros at the end. @param {string} text */
export const plainAmount = (text) => addExactly([text]);

/** @param {string} a @param {string} b */
export const isSameAmount = (a, b) => plainAmount(a) === plainAmount(b);

/** A price for one as a price for a million. @param {string} text */
export function perMillion(text) {
  const { units, digits } = parse(text);
  return write(units * 1_000_000n, digits);
}
