/**
 * An operation whose modules are loaded when it is called. A third of the program is about PostgreSQL; whoever backs up
 * files every few minutes does not wait for it.
 */
export function onDemand<Args extends unknown[], Result>(
  load: () => Promise<(...args: Args) => Promise<Result>>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const operation = await load();
    return await operation(...args);
  };
}
