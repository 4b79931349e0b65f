import type { EndedRelay } from './api.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';

/** Told of calls through tunnels that this process has relayed. */
export interface RelayMeter {
    ended: (outcome: EndedRelay['outcome']) => void;
    relayed: (bytes: Pick<EndedRelay, 'bytesIn' | 'bytesOut'>) => void;
}

/** Measures the traffic of all tunnels together. */
export function relayMeter(metrics: Metrics): RelayMeter {
    const help = 'Calls through tunnels: `success`, `offline` without an agent, or why there was no answer';
    const calls = metrics.counter('tunnel_requests_total', help, ['outcome']);
    const bytes = metrics.counter('tunnel_relayed_bytes_total', 'Bytes that went through tunnels', ['direction']);
    calls('success').inc(0);
    return {
        ended: (outcome) => calls(outcome).inc(),
        relayed: ({ bytesIn, bytesOut }) => {
            bytes('in').inc(bytesIn);
            bytes('out').inc(bytesOut);
        },
    };
}
