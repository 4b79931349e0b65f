import { setTimeout as sleep } from 'node:timers/promises';

import { compare } from './compare.ts';
import { CheckError } from './errors.ts';
import { follow, type Figures, type Follower } from './traffic.ts';

import type { Rollout } from './rollout.ts';

/** So often it is looked at within the window: what is clearly worse need not go on to its end. */
const LOOKS = 4;

const pause = ({ kubectl, options }: Rollout, parts: number): Promise<unknown> =>
    sleep((options.window * 1000) / parts, undefined, { signal: kubectl.signal });

/** How a deployment does for the length of the window. */
export async function observe(rollout: Rollout, deployment: string): Promise<Figures> {
    const follower = await follow(rollout.kubectl, deployment, rollout.options.sample);
    try {
        await pause(rollout, 1);
        return await follower.since();
    } finally {
        await follower.close();
    }
}

const known = (figures: Figures): Follower => ({ since: async () => figures, close: async () => undefined });

/**
 * Watches the new version for the length of the window, beside the old one.
 *
 * @param old The deployment of the old version that goes on, or how it did before
 * @throws CheckError as soon as the new one is worse, and at the end when there was too little to judge by
 */
export async function expectNotWorse(rollout: Rollout, fresh: string, old: string | Figures): Promise<void> {
    const { kubectl, options, say } = rollout;
    if (kubectl.isDry) {
        say(`would compare /metrics of the pods of ${fresh} with those of the old version for ${options.window} s`);
        return;
    }
    const followers: Follower[] = [];
    const begin = async (deployment: string): Promise<Follower> => {
        const follower = await follow(kubectl, deployment, options.sample);
        followers.push(follower);
        return follower;
    };
    try {
        const former = typeof old === 'string' ? await begin(old) : known(old);
        await judge(rollout, await begin(fresh), former);
    } finally {
        await Promise.all(followers.map((follower) => follower.close()));
    }
}

async function judge(rollout: Rollout, fresh: Follower, old: Follower): Promise<void> {
    const { options, say } = rollout;
    for (let looks = 1; looks <= LOOKS; looks++) {
        await pause(rollout, LOOKS);
        const { outcome, words } = compare(await fresh.since(), await old.since(), options);
        if (outcome === 'worse') throw new CheckError(`The new version is worse: ${words}`);
        if (looks < LOOKS) continue;
        if (outcome === 'quiet' && !options.allowQuiet) {
            throw new CheckError(`${words}; --allow-quiet goes on all the same`);
        }
        say(`  ${words}`);
    }
}
