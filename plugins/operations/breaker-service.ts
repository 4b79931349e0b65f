import { apiError } from '../../src/http/errors.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { inPlatformAudit, tellLook } from '../../src/redis/platform-audit.ts';

import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { CircuitState, ModelService } from '../models/api.ts';

/** A circuit breaker with its name, `<provider>:<origin>`. */
export interface Breaker extends CircuitState {
    name: string;
}

export type BreakerService = ReturnType<typeof createBreakerService>;

/** The circuit breakers of model providers, for who runs the platform. */
export function createBreakerService(models: Pick<ModelService, 'circuits' | 'resetCircuit'>, append: AppendOutbox) {
    return {
        /** Of every provider here, and of all others that are not clean, by name. Told in the platform's audit. */
        async list(actor: Actor): Promise<Breaker[]> {
            await tellLook(append, actor, { id: PLATFORM, resource: 'breaker', action: 'breaker.list' });
            const circuits = Object.entries(await models.circuits());
            return circuits.map(([name, circuit]) => ({ name, ...circuit })).toSorted((a, b) => order(a.name, b.name));
        },

        /** Closes one and forgets its failures; other replicas follow within a second. @throws BREAKER_NOT_FOUND */
        async reset(actor: Actor, name: string): Promise<Breaker> {
            const circuitOf = async () => {
                const circuits = new Map(Object.entries(await models.circuits()));
                return circuits.get(name);
            };
            if (!(await circuitOf())) throw apiError('BREAKER_NOT_FOUND');
            const deed = { id: name, resource: 'breaker', action: 'breaker.reset' };
            await inPlatformAudit(append, actor, deed, () => models.resetCircuit(name));
            // One of no provider here is no longer known when it is clean.
            return { name, ...((await circuitOf()) ?? { state: 'closed', failures: 0, retryAt: null }) };
        },
    };
}

const order = (one: string, other: string): number => (one < other ? -1 : 1);
