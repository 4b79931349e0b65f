import { healthPolicy, Target, type HealthPolicy } from './target.ts';

import type { Dispatcher } from 'undici';
import type { TargetOptions } from './options.ts';
import type { EndpointHealth } from '../link/types.ts';

/** The services of an agent: which is taken for a request, and how they are. */
export class Targets {
    readonly all: Target[];
    readonly #dispatcher: Dispatcher;
    readonly #everyMs: number;

    constructor(options: TargetOptions[], dispatcher: Dispatcher, policy: HealthPolicy = healthPolicy) {
        this.all = options.map((each) => new Target(each, policy));
        this.#dispatcher = dispatcher;
        this.#everyMs = policy.everyMs;
    }

    get health(): EndpointHealth[] {
        return this.all.map(({ health }) => health);
    }

    /**
     * In which order they are tried for one request: the healthy before the others, then by priority, and among equals
     * by chance and weight.
     */
    order(endpoint?: string, random: () => number = Math.random): Target[] {
        if (endpoint !== undefined) return this.all.filter(({ id }) => id === endpoint);
        // The smallest of these draws is each one's with the probability of its weight.
        const draw = new Map(this.all.map((target) => [target, -Math.log(1 - random()) / target.weight]));
        return this.all.toSorted(
            (one, other) =>
                Number(other.isHealthy) - Number(one.isHealthy) ||
                one.priority - other.priority ||
                (draw.get(one) ?? 0) - (draw.get(other) ?? 0),
        );
    }

    /** Looks after them until told otherwise, and tells after each round. */
    watch(tell: (health: EndpointHealth[]) => void): () => void {
        const round = async () => {
            const due = this.all.filter((target) => target.isDue(Date.now()));
            if (due.length === 0) return;
            await Promise.all(due.map((target) => target.check(this.#dispatcher, Date.now)));
            tell(this.health);
        };
        void round();
        const timer = setInterval(() => void round(), this.#everyMs);
        return () => clearInterval(timer);
    }
}
