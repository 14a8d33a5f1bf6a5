/**
 * Shapes of the ledger's answers, as docs/http-api.md describes them.
 *
 * @typedef {{type: string, code: string | null, message: string | null}} CallError
 *
 * @typedef {object} Row one call, as `GET /api/logs` lists it
 * @property {string} id
 * @property {string} call_id
 * @property {string} request_id
 * @property {string} time
 * @property {number} timestamp
 * @property {string} started
 * @property {string | null} key
 * @property {string | null} session
 * @property {string | null} user
 * @property {string[]} tags
 * @property {string} route
 * @property {string} dialect
 * @property {string | null} provider
 * @property {string | null} model
 * @property {string | null} deployment
 * @property {boolean | null} stream
 * @property {number | null} status
 * @property {"ok" | "error" | "cancelled" | "refused"} outcome
 * @property {CallError | null} error
 * @property {string | null} finish_reason
 * @property {number | null} input_tokens
 * @property {number | null} output_tokens
 * @property {number | null} total_tokens
 * @property {number | null} cache_read_tokens
 * @property {number | null} cache_write_tokens
 * @property {number | null} reasoning_tokens
 * @property {string | null} tokens_source
 * @property {number | null} cost_usd
 * @property {string | null} cost_usd_exact
 * @property {string | null} cost_confidence
 * @property {number | null} latency_s
 * @property {number | null} time_to_first_byte_s
 * @property {number | null} time_to_first_token_s
 * @property {number | null} inter_token_latency_s
 * @property {number | null} inter_token_latency_p50_s
 * @property {number | null} inter_token_latency_p95_s
 * @property {number | null} inter_token_latency_max_s
 * @property {number | null} tokens_per_second
 * @property {number | null} gateway_overhead_s
 * @property {number | null} content_events
 * @property {number} attempts
 * @property {string} role
 * @property {string | null} route_name
 * @property {string | null} cache
 * @property {number | null} saved_usd
 * @property {string | null} shadow_of
 * @property {string[]} transformations
 * @property {"off" | "hash" | "full"} content
 *
 * @typedef {{kind: string, quantity: string, unit_price_usd: string, amount_usd: string}} LineItem
 *
 * @typedef {object} Cost
 * @property {number | null} usd
 * @property {string | null} usd_exact
 * @property {string | null} source
 * @property {string | null} confidence
 * @property {string | null} provider_usd_exact
 * @property {string | null} computed_usd_exact
 * @property {string | null} difference_usd_exact
 * @property {string | null} unknown_reason
 * @property {{source: string | null, date: string | null, conditions: Record<string, string>} | null} price
 * @property {LineItem[]} line_items
 *
 * @typedef {{strategy: string, targets: string[], skipped: {target: string, reason: string}[]}} Decision
 * @typedef {{from_s: number, to_s: number, count: number}} Gap
 *
 * @typedef {object} Attempt
 * @property {number} number
 * @property {string} role
 * @property {string | null} route_name
 * @property {string | null} provider_key
 * @property {Decision | null} decision
 * @property {string | null} provider
 * @property {string | null} deployment
 * @property {string} outcome
 * @property {number | null} status
 * @property {CallError | null} error
 * @property {Cost} cost
 * @property {Gap[]} gaps
 * @property {Record<string, any>} record
 *
 * @typedef {{name: string, attempt: number, start_s: number, end_s: number}} Span
 * @typedef {{id: string, time: string, key: string | null, score: number | null,
 *   label: string | null, comment: string | null}} Feedback
 * @typedef {{wire: string, mode: "off" | "hash" | "full", messages: any[], output: any[],
 *   parameters: Record<string, any>}} Conversation
 *
 * @typedef {Row & {duration_s: number, attempt_details: Attempt[], spans: Span[],
 *   feedback: Feedback[], conversation: Conversation | null}} Details
 *
 * @typedef {object} Session
 * @property {string} id
 * @property {number} calls
 * @property {number} failed
 * @property {string} started
 * @property {string} ended
 * @property {number} duration_s
 * @property {number} input_tokens
 * @property {number} output_tokens
 * @property {number | null} cost_usd
 * @property {string | null} cost_usd_exact
 * @property {string[]} models
 * @property {string | null} key
 * @property {string | null} user
 */
export {};
