/** A count with its noun, such as `1 retry`, `2 retries`. */
export function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
