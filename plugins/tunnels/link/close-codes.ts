/** Why a link was closed, and with it what the agent does next. */
export const CLOSE_CODES = {
    /** Both ends are done; the agent was stopped. */
    normal: 1000,
    /** The replica goes away: connect again, with jitter. */
    restart: 1012,
    /** The other end broke the protocol. */
    protocol: 4400,
    /** The token is not, or no longer, that of the tunnel: do not try again. */
    authentication: 4401,
    /** The tunnel was stopped: try again slowly, until it is started. */
    stopped: 4403,
    /** The other end does not answer any more. */
    deadPeer: 4408,
    /** Another agent took the tunnel over: do not try again. */
    replaced: 4409,
    /** A message or a head that is larger than allowed. */
    tooLarge: 4413,
} as const;

/** The reason that a link is closed for with `authentication`. */
export const TOKEN_GONE = 'The token is not that of the tunnel any more';
