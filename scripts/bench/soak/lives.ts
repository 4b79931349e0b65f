import { complete, interrupt, talk } from './conversations.ts';
import { follow, hook, lookAround, readBills, until, useTunnel } from './errands.ts';
import { forget, invite, login, refresh, register, remove, type Guest, type House, type Place } from './place.ts';

/** How many threads a visit deletes: the one of each conversation, and a fork. */
export const DELETED_BY_VISIT = 3;

/** Somebody comes, does what people do, all at once as far as it goes, and leaves. */
export async function visit(place: Place, guest: Guest): Promise<void> {
    const { client } = place;
    const first = await login(place, guest);
    const leave = await follow(place, first.token);
    const session = await refresh(place, first);
    await Promise.all([talk(place, session), complete(place, session), lookAround(place, session)]);
    await interrupt(place, session);
    leave();
    await client.call('POST', '/api/logout', { token: session.token });
    await client.call('GET', '/api/auth/me', { token: session.token, expects: 401 });
}

/** The same with a tunnel. */
export async function visitByTunnel(place: Place, guest: Guest): Promise<void> {
    const session = await login(place, guest);
    await useTunnel(place, session);
    await place.client.call('POST', '/api/logout', { token: session.token });
}

/** A tenant from its registration until it is deleted. */
export async function tenancy(place: Place): Promise<House> {
    const { client } = place;
    const house = await register(place);
    const guest = await invite(place, house);
    await client.call('POST', '/api/login', {
        payload: { email: guest.email, password: 'not this one' },
        expects: 401,
    });
    const hooks = [await hook(place, house, false), await hook(place, house, true)];
    await visit(place, await forget(place, guest));
    await readBills(place, house);
    await until(() => hooks[0]?.received() === DELETED_BY_VISIT, 'the deliveries of a webhook');
    for (const { remove: take } of hooks) await take();
    await client.call('DELETE', `/api/users/${guest.userId}`, { token: house.admin });
    await remove(place, house);
    return house;
}
