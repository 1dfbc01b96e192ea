/**
 * Runs `work` for each item, at most `limit` at once, and returns the results in the items' order. The first failure
 * rejects; what is running then is awaited first, so that nothing goes on behind the caller's back.
 */
export async function mapConcurrently<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item, position: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let position = 0;
  for await (const item of items) {
    if (failures.length > 0) break;
    const at = position;
    position += 1;
    const job: Promise<void> = work(item, at)
      .then(
        (result) => {
          results[at] = result;
        },
        (error: unknown) => {
          failures.push(error);
        },
      )
      .finally(() => running.delete(job));
    running.add(job);
    if (running.size >= limit) await Promise.race(running);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  return results;
}
