import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { parseAllDocuments } from 'yaml';

import { temporaryFolder } from './folder.ts';
import { packageRoot } from '../../src/package-root.ts';

/** The first whose kustomize knows all that the manifests use. */
const KUBECTL_NEEDED = 27;

/** The folders that are applied. */
export const OVERLAYS = [
    'base',
    'monitoring',
    ...readdirSync(join(packageRoot(), 'k8s/overlays')).map((name) => `overlays/${name}`),
];

/** What an operator may add to them. */
export const COMPONENTS = readdirSync(join(packageRoot(), 'k8s/components'));

/** An object as it goes to Kubernetes. */
export interface Manifest {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

function kubectlMinor(): number {
    try {
        const args = ['version', '--client', '--output', 'json'];
        const answer = execFileSync('kubectl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
        const { clientVersion } = JSON.parse(answer) as { clientVersion: { minor: string } };
        return Number.parseInt(clientVersion.minor, 10);
    } catch {
        return 0;
    }
}

/** Tests that render manifests are skipped where there is nothing that does. */
export const hasKubectl = kubectlMinor() >= KUBECTL_NEEDED;
if (!hasKubectl) {
    console.log(
        `Skipped, as there is no kubectl 1.${KUBECTL_NEEDED} or newer: \`sh scripts/setup.sh kubectl\` installs it where ` +
            'apt has one that new.',
    );
}

/** What a folder below `k8s` comes to, by kind and name. */
export const render = (folder: string): Manifest[] => kustomize(join(packageRoot(), 'k8s', folder));

function kustomize(path: string): Manifest[] {
    const yaml = execFileSync('kubectl', ['kustomize', path], { encoding: 'utf8', maxBuffer: 8_388_608 });
    return parseManifests(yaml);
}

/** What a folder comes to together with components of ours, as an operator's own overlay would have them. */
export function renderWith(folder: string, components: string[]): Manifest[] {
    const overlay = temporaryFolder();
    const from = (path: string) => relative(realpathSync(overlay), join(packageRoot(), 'k8s', path));
    const kustomization = {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        namespace: 'llm-api-layer',
        resources: [from(folder)],
        components: components.map((name) => from(`components/${name}`)),
    };
    writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
    return kustomize(overlay);
}

export const parseManifests = (yaml: string): Manifest[] =>
    parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);

interface Validator {
    validate: () => void;
}
type Model = new (data: object) => Validator;

/** Where the schemas of kinds are that Kubernetes itself does not bring. */
const PACKAGES: Record<string, string> = {
    'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
    'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/**
 * What a strict API server would refuse: values that are not as the schema says, and fields that it does not know. A
 * validator passes over such fields in silence, so these are the ones that it never looked at.
 */
export async function faultsOf(manifest: Manifest): Promise<string[]> {
    const { apiVersion, kind } = manifest;
    const from = PACKAGES[apiVersion.split('/')[0] ?? ''] ?? 'kubernetes-models';
    const models = (await import(`${from}/${apiVersion}/${kind}`)) as Record<string, Model>;
    const Known = models[kind];
    if (!Known) return [`nothing is known of ${apiVersion} ${kind}`];
    const unseen = new Set<string>();
    const model = watched(new Known(manifest), '', unseen);
    try {
        model.validate();
    } catch (error) {
        return [error instanceof Error ? error.message : String(error)];
    }
    return [...unseen].map((path) => `${path} is not known`);
}

/** The same, that takes the path of each field out of `unseen` when it is read. */
function watched<T extends object>(target: T, path: string, unseen: Set<string>): T {
    const parts = new Map<string, unknown>();
    for (const [name, value] of Object.entries(target)) {
        const place = `${path}/${name}`;
        unseen.add(place);
        const isObject = typeof value === 'object' && value !== null;
        parts.set(name, isObject ? watched(value as object, place, unseen) : value);
    }
    return new Proxy(target, {
        get: (_target, name, receiver) => {
            if (typeof name === 'symbol' || !parts.has(name)) return Reflect.get(target, name, receiver) as unknown;
            unseen.delete(`${path}/${name}`);
            return parts.get(name);
        },
    });
}
