import type { CircuitState, ModelService } from './api.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';

const GRAVITY = { closed: 0, half_open: 1, open: 2 } satisfies Record<CircuitState['state'], number>;

/** The worst circuit of each provider: its endpoints are in the settings, where anybody may have written anything. */
export function gaugeCircuits(metrics: Metrics, models: Pick<ModelService, 'circuits'>): void {
    const help = '0 closed, 1 half open, 2 open: the worst of each provider; the same in every process';
    const read = async (set: (value: number, provider: string) => void) => {
        const worst = new Map<string, number>();
        for (const [name, { state }] of Object.entries(await models.circuits())) {
            const [provider = ''] = name.split(':', 1);
            worst.set(provider, Math.max(worst.get(provider) ?? 0, GRAVITY[state]));
        }
        for (const [provider, gravity] of worst) set(gravity, provider);
    };
    metrics.gauge('model_circuit_state', help, read, ['provider']);
}
