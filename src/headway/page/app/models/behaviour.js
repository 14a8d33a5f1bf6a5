/** How models and providers behaved here lately, from the ledger. */
import { useMemo } from "preact/hooks";
import { useResource } from "../api/resource.js";

const HOURS = 24;

/**
 * The rows of the last day, by `provider/model`.
 * @returns {Map<string, any>}
 */
export function useBehaviour() {
  const since = useMemo(() => new Date(Date.now() - HOURS * 3_600_000).toISOString(), []);
  const { data } = useResource("api/usage", {
    since,
    by: "provider,model",
    metric: "time_to_first_token_s,tokens_per_second,latency_s",
  });
  const report = /** @type {any} */ (data);
  return useMemo(
    () =>
      new Map(
        (report?.data ?? []).map((/** @type {any} */ row) => [
          `${row.group.provider}/${row.group.model}`,
          row,
        ]),
      ),
    [report],
  );
}
