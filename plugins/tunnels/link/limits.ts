/** What both ends of a link hold to; they must have the same ones. */
export interface LinkLimits {
    /** Requests at the same time. */
    streams: number;
    /** Bytes of a request's or a response's head, and of all other frames except DATA and SETTINGS. */
    headerBytes: number;
    /** Bytes of SETTINGS: twenty addresses of 2 KiB have room. */
    settingsBytes: number;
    /** Bytes of a stream that may be on their way without having been read. */
    window: number;
    /** Bytes that wait in the socket, after which senders wait too. */
    buffered: number;
    /** Bytes in one DATA frame. */
    data: number;
}

const KIB = 1024;

export const LINK_LIMITS: LinkLimits = {
    streams: 200,
    headerBytes: 32 * KIB,
    settingsBytes: 64 * KIB,
    window: 1024 * KIB,
    buffered: 4096 * KIB,
    data: 64 * KIB,
};

export interface HeartbeatTimes {
    everyMs: number;
    patienceMs: number;
}

export const HEARTBEAT: HeartbeatTimes = { everyMs: 20_000, patienceMs: 10_000 };

/** For `new WebSocket` and `new WebSocketServer` alike. `ws` switches Nagle's algorithm off by itself. */
export const SOCKET_SETTINGS = { perMessageDeflate: false, maxPayload: 256 * KIB, closeTimeout: 5000 } as const;
