import { RefusedError } from './errors.ts';

import type { Kubectl } from './kubectl.ts';
import type { Options } from './options.ts';

interface Versions {
    clientVersion: { major: string; minor: string; gitVersion: string };
}

const OLDEST_MINOR = 27;

/**
 * Says where it is going to work.
 *
 * @throws RefusedError when kubectl is not there or too old, CheckError when the cluster cannot be reached
 */
export async function expectKubectl(kubectl: Kubectl, options: Options, say: (line: string) => void): Promise<void> {
    // That of the cluster is told as well: it can be reached.
    const [versions, context] = await Promise.all([
        kubectl.read(['version', '-o', 'json']),
        options.context ?? currentContext(kubectl),
    ]);
    const { clientVersion } = JSON.parse(versions) as Versions;
    const minor = Number.parseInt(clientVersion.minor, 10);
    if (clientVersion.major === '1' && minor < OLDEST_MINOR) {
        throw new RefusedError(`kubectl is ${clientVersion.gitVersion}: at least 1.${OLDEST_MINOR} is needed.`);
    }
    say(`Context ${context}, namespace ${options.namespace}`);
}

/** Within a cluster there is none. */
const currentContext = (kubectl: Kubectl): Promise<string> =>
    kubectl.read(['config', 'current-context']).then(
        (text) => text.trim(),
        () => 'of the cluster itself',
    );
