import { randomBytes } from 'node:crypto';

import { named, type Container, type Labels } from './workloads.ts';

import type { Manifest } from './kubernetes.ts';

export const POD_ADDRESS = '10.0.0.7';

const random = (bytes: number, encoding: 'base64' | 'base64url') => randomBytes(bytes).toString(encoding);

/** What an operator would have made. */
export const newSecrets = (): Labels => ({
    JWT_KEYS: `k1:${random(48, 'base64url')}`,
    VAULT_KEYS: `k1:${random(32, 'base64')}`,
    INTERNAL_KEY: random(48, 'base64url'),
    METRICS_TOKEN: random(32, 'base64url'),
    PLATFORM_ADMIN_PASSWORD: random(12, 'base64url'),
});

/** The environment that a container would have with those secrets, and with that password of Redis. */
export function environmentOf(
    manifests: Manifest[],
    { env = [], envFrom = [] }: Container,
    secrets: Labels,
    redisPassword = '',
): Labels {
    const maps = envFrom.map(({ configMapRef }) =>
        configMapRef ? named<Manifest & { data: Labels }>(manifests, 'ConfigMap', configMapRef.name).data : secrets,
    );
    const own = env.map(({ name, value, valueFrom }) => {
        if (valueFrom?.fieldRef) return [name, POD_ADDRESS];
        return [name, valueFrom?.secretKeyRef ? redisPassword : value];
    });
    return { ...Object.assign({}, ...maps), ...Object.fromEntries(own) } as Labels;
}
