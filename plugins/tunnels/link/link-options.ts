import type { Frame } from './frames.ts';
import type { HeartbeatTimes, LinkLimits } from './limits.ts';
import type { EndpointHealth, Hello, LinkRequest, LinkSettings, Transport } from './types.ts';

export interface LinkOptions {
    heartbeat?: HeartbeatTimes;
    /** Other limits than the usual ones; both ends must have the same. */
    limits?: Partial<LinkLimits>;
    /** What the socket goes over, so that frames which are sent together are written together. */
    transport?: Transport | undefined;
    /** The agent's side. */
    onRequest?: (request: LinkRequest) => void;
    /** The gateway's side. */
    onHello?: (hello: Hello) => void;
    /** The gateway's side. */
    onHealth?: (health: EndpointHealth[]) => void;
    /** The agent's side: connect elsewhere, this link drains or is about to; it may be said twice. */
    onGoAway?: (reason: string) => void;
    /** The agent's side. */
    onSettings?: (settings: LinkSettings) => void;
}

type Told = Extract<Frame, { type: 'hello' | 'health' | 'goaway' | 'settings' }>;

/** Tells whoever has the link what the other end has told. */
export function handOver(frame: Told, options: LinkOptions): void {
    if (frame.type === 'hello') options.onHello?.(frame.hello);
    else if (frame.type === 'health') options.onHealth?.(frame.health);
    else if (frame.type === 'settings') options.onSettings?.(frame.settings);
    else options.onGoAway?.(frame.reason);
}
