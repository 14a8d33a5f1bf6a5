/** Changes of parameters. Values without DOM. */

/** @param {Record<string, any>} values @param {string} name @param {unknown} value undefined leaves it out */
export function withValue(values, name, value) {
  const { [name]: _, ...rest } = values;
  return value === undefined ? rest : { ...rest, [name]: value };
}
