/** The name of a value of a generated enum, such as `TOO_FAST`; the number of one that is newer than this program. */
export function enumName(values: object, value: number): string {
  return Object.entries(values).find(([, candidate]) => candidate === value)?.[0] ?? `${value}`;
}
