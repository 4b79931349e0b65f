import { Exchange } from './exchange.ts';
import { withoutSlash, type Transport } from './transport.ts';

import type { Dispatcher } from 'undici';

/** To a provider at an address; ending the iteration of a body early closes the connection. */
export function overHttp(dispatcher: Dispatcher, baseUrl: string): Transport {
    const base = withoutSlash(baseUrl);
    return ({ path, signal, isUnhurried = false, ...request }) => {
        const { origin, pathname, search } = new URL(base + path);
        const exchange = new Exchange(signal, isUnhurried);
        dispatcher.dispatch({ ...request, origin, path: pathname + search }, exchange);
        return exchange.answered;
    };
}
