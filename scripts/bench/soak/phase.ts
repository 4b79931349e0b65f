import { setTimeout as sleep } from 'node:timers/promises';

import { follow, hook, until, type Hook } from './errands.ts';
import { DELETED_BY_VISIT, tenancy, visit, visitByTunnel } from './lives.ts';

import type { Guest, House } from './place.ts';
import type { Stage } from './stage.ts';

/** How often each begins: together they take about half of a processor. */
const EVERY_MS = { visit: 700, tunnel: 2_500, tenancy: 4_000 };
/** A failed delivery comes again after five seconds or six. */
const DELIVERY_PATIENCE_MS = 40_000;
/** Past that there is nothing to be learned any more. */
const MOST_FAULTS = 20;

/**
 * Has people come and go for so long, with webhooks and followers of the tenants that stay, until the last has left and
 * nothing is on its way; gives the tenants that were deleted meanwhile.
 */
export async function runPhase(stage: Stage, milliseconds: number): Promise<House[]> {
    const { houses, guests, faults } = stage;
    const end = performance.now() + milliseconds;
    const hooks = new Map<House, Hook[]>();
    for (const house of houses) hooks.set(house, [await hook(stage, house, false), await hook(stage, house, true)]);
    const leave = await Promise.all(houses.map(({ admin }) => follow(stage, admin)));
    const visits = new Map<House, number>();
    const removed: House[] = [];
    let turn = 0;
    const nextGuest = (): Guest => {
        const guest = guests[turn++ % guests.length];
        if (!guest) throw new RangeError('There are no guests');
        return guest;
    };
    const lives = {
        visit: async () => {
            const guest = nextGuest();
            await visit(stage, guest);
            visits.set(guest.house, (visits.get(guest.house) ?? 0) + 1);
        },
        tunnel: () => visitByTunnel(stage, nextGuest()),
        tenancy: async () => void removed.push(await tenancy(stage)),
    };
    const beginAll = async (life: keyof typeof lives): Promise<void> => {
        const begun: Promise<unknown>[] = [];
        while (performance.now() < end && faults.length < MOST_FAULTS) {
            begun.push(lives[life]().catch((error: Error) => faults.push(error)));
            await sleep(EVERY_MS[life]);
        }
        await Promise.all(begun);
    };
    await Promise.all([beginAll('visit'), beginAll('tunnel'), beginAll('tenancy')]);
    const note = (error: Error): void => void faults.push(error);
    if (faults.length === 0) await untilDelivered(hooks, visits).catch(note);
    for (const { remove } of [...hooks.values()].flat()) await remove();
    for (const go of leave) go();
    await until(() => stage.model.open() === 0, 'the model to be left alone').catch(() =>
        note(new Error(`The model is still asked by ${stage.model.open()}`)),
    );
    return removed;
}

/** Every webhook was told of every thread that was deleted in its tenant. */
async function untilDelivered(hooks: Map<House, Hook[]>, visits: Map<House, number>): Promise<void> {
    for (const [house, [...all]] of hooks) {
        const wanted = DELETED_BY_VISIT * (visits.get(house) ?? 0);
        for (const { received, pending } of all) {
            await until(() => received() === wanted, 'deliveries', DELIVERY_PATIENCE_MS).catch(async (cause: Error) => {
                const late = `${received()} of ${wanted} came by ${new Date().toISOString()}, but for ${await pending()}`;
                throw new Error(`${cause.message}: ${late}`, { cause });
            });
        }
    }
}
