import type { Json } from './patch.ts';

const VERBS = ['get', 'list', 'watch', 'patch'];

const resource = (name: string, kind: string, shortNames: string[] = []): Json => ({
    name,
    singularName: kind.toLowerCase(),
    namespaced: true,
    kind,
    shortNames,
    verbs: VERBS,
});

const resources = (groupVersion: string, list: Json[]): Json => ({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: list,
});

const group = (name: string): Json => {
    const version = { groupVersion: `${name}/v1`, version: 'v1' };
    return { name, versions: [version], preferredVersion: version };
};

const GATEWAY = 'gateway.networking.k8s.io';

/** What the server has, by the path it is told at. */
export function discovery(hasGateway: boolean): Record<string, Json> {
    const groups = [group('apps'), ...(hasGateway ? [group(GATEWAY)] : [])];
    const scale = { ...resource('deployments/scale', 'Scale'), group: 'autoscaling', version: 'v1' };
    return {
        '/api': { kind: 'APIVersions', versions: ['v1'] },
        '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups },
        '/api/v1': resources('v1', [resource('pods', 'Pod', ['po']), resource('services', 'Service', ['svc'])]),
        '/apis/apps/v1': resources('apps/v1', [resource('deployments', 'Deployment', ['deploy']), scale]),
        ...(hasGateway && {
            [`/apis/${GATEWAY}/v1`]: resources(`${GATEWAY}/v1`, [resource('httproutes', 'HTTPRoute')]),
        }),
    };
}
