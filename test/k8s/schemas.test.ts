import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { faultsOf, hasKubectl, OVERLAYS, parseManifests, render, type Manifest } from '../helpers/kubernetes.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, labels: { tier: front } }
spec:
    selector: { matchLabels: { tier: front } }
    template:
        metadata: { labels: { tier: front } }
        spec:
            containers:
                - name: api
                  image: llm-api-layer:0.1.0
                  livenessProbe: { httpGet: { path: /, port: 3000 } }
`;

const ROUTE = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: api }
spec: { rules: [{ backendRefs: [{ name: api, port: 80 }] }] }
`;

const MONITOR = `
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: { name: api }
spec: { selector: {}, podMetricsEndpoints: [{ port: metrics }] }
`;

const altered = (yaml: string, from: string, to: string): Manifest[] => {
    const text = yaml.replace(from, to);
    if (text === yaml) throw new Error(`There is no ${from}`);
    return parseManifests(text);
};

async function allFaults(manifests: Manifest[]): Promise<string[]> {
    const faults = manifests.map(async (manifest) =>
        (await faultsOf(manifest)).map((fault) => `${manifest.kind} ${manifest.metadata.name}: ${fault}`),
    );
    return (await Promise.all(faults)).flat();
}

describe('faultsOf', () => {
    it('finds nothing where nothing is wrong', async () => {
        for (const yaml of [DEPLOYMENT, ROUTE, MONITOR]) expect(await allFaults(parseManifests(yaml))).to.equal([]);
    });

    it('finds fields that are not known, however deep', async () => {
        const planted: [string, string, string][] = [
            [DEPLOYMENT, 'spec:\n    selector', 'spec:\n    replica: 3\n    selector'],
            [DEPLOYMENT, 'image: llm', 'imagePullPolice: Always\n                  image: llm'],
            [DEPLOYMENT, 'port: 3000', 'port: 3000, prot: 1'],
            [ROUTE, 'port: 80', 'port: 80, weigth: 1'],
            [MONITOR, 'port: metrics', 'port: metrics, intervall: 30s'],
        ];
        for (const [yaml, from, to] of planted) {
            const [fault = '', ...others] = await allFaults(altered(yaml, from, to));
            expect(fault, to).to.contain('is not known');
            expect(others, to).to.equal([]);
        }
    });

    it('finds values of the wrong type, and what is missing', async () => {
        const planted: [string, string, string][] = [
            [
                DEPLOYMENT,
                'metadata: { name: api, labels: { tier: front } }',
                'metadata: { name: api, labels: { tier: 1 } }',
            ],
            [DEPLOYMENT, 'name: api\n                  image', 'name: 7\n                  image'],
            [DEPLOYMENT, '    selector: { matchLabels: { tier: front } }\n', ''],
            [ROUTE, 'port: 80', 'port: http'],
            [MONITOR, 'podMetricsEndpoints: [{ port: metrics }]', 'podMetricsEndpoints: metrics'],
        ];
        for (const [yaml, from, to] of planted) {
            expect(await allFaults(altered(yaml, from, to)), to).to.not.equal([]);
        }
    });
});

describe('k8s', { skip: !hasKubectl }, () => {
    for (const folder of OVERLAYS) {
        it(`has in ${folder} nothing that Kubernetes does not know`, async () => {
            const manifests = render(folder);
            expect(manifests.length).to.be.above(2);
            expect(await allFaults(manifests)).to.equal([]);
        });
    }

    it('has an example of the secrets that Kubernetes takes', async () => {
        const example = readFileSync(join(packageRoot(), 'k8s/base/common/secret.example.yaml'), 'utf8');
        expect(await allFaults(parseManifests(example))).to.equal([]);
    });
});
