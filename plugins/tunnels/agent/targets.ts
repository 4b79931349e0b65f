import { byAddress, isSame, type Plan } from './plan.ts';
import { healthPolicy, Target, type HealthPolicy } from './target.ts';

import type { Dispatcher } from 'undici';
import type { TargetOptions } from './options.ts';
import type { EndpointHealth } from '../link/types.ts';

type Tell = (health: EndpointHealth[]) => void;

/** The services of an agent: which is taken for a request, and how they are. */
export class Targets {
    readonly #dispatcher: Dispatcher;
    readonly #policy: HealthPolicy;
    #all: Target[];
    #unfollowed: EndpointHealth[] = [];
    #tell: Tell = () => undefined;

    constructor(options: TargetOptions[], dispatcher: Dispatcher, policy: HealthPolicy = healthPolicy) {
        this.#dispatcher = dispatcher;
        this.#policy = policy;
        this.#all = options.map((each) => new Target(byAddress(each), policy));
    }

    get all(): readonly Target[] {
        return this.#all;
    }

    /** Endpoints of the tunnel that requests do not go to. */
    get unfollowed(): readonly EndpointHealth[] {
        return this.#unfollowed;
    }

    /** Of all, with the endpoints that are not followed. */
    get health(): EndpointHealth[] {
        return [...this.#all.map(({ health }) => health), ...this.#unfollowed];
    }

    /** From now on these. What is known of one that stays is kept; new ones are looked after at once. */
    follow({ targets, unfollowed }: Plan): void {
        const known = [...this.#all];
        const fresh: Target[] = [];
        this.#all = targets.map((named) => {
            const index = known.findIndex(({ url }) => isSame(url, named.url));
            const [target] = index < 0 ? [] : known.splice(index, 1);
            if (target) return target.rename(named);
            const added = new Target(named, this.#policy);
            fresh.push(added);
            return added;
        });
        this.#unfollowed = unfollowed;
        this.#tell(this.health);
        void this.#check(fresh);
    }

    /**
     * In which order they are tried for one request: the healthy before the others, then by priority, and among equals
     * by chance and weight.
     */
    order(endpoint?: string, random: () => number = Math.random): Target[] {
        if (endpoint !== undefined) return this.#all.filter(({ id }) => id === endpoint);
        // The smallest of these draws is each one's with the probability of its weight.
        const draw = new Map(this.#all.map((target) => [target, -Math.log(1 - random()) / target.weight]));
        return this.#all.toSorted(
            (one, other) =>
                Number(other.isHealthy) - Number(one.isHealthy) ||
                one.priority - other.priority ||
                (draw.get(one) ?? 0) - (draw.get(other) ?? 0),
        );
    }

    /** Looks after them until told otherwise, and tells after each round. */
    watch(tell: Tell): () => void {
        this.#tell = tell;
        const round = () => void this.#check(this.#all.filter((target) => target.isDue(Date.now())));
        round();
        const timer = setInterval(round, this.#policy.everyMs);
        return () => {
            clearInterval(timer);
            this.#tell = () => undefined;
        };
    }

    async #check(targets: Target[]): Promise<void> {
        if (targets.length === 0) return;
        await Promise.all(targets.map((target) => target.check(this.#dispatcher, Date.now)));
        this.#tell(this.health);
    }
}
