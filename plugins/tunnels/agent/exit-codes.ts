/** What the end of `llm-tunnel` says to whoever started it. */
export const exitCodes = {
    /** It was asked to stop. */
    stopped: 0,
    wrongUsage: 2,
    /** The token is not (any more) one of the tunnel: a new one is needed. */
    authentication: 3,
    /** Another agent has taken the tunnel over, or the tunnel is stopped. */
    replaced: 4,
    /** Only with --once: the API could not be reached, or the connection was lost. */
    network: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
