import type { Manifest } from './kubernetes.ts';

/** What the tests look at of manifests that are known to be as the schemas say. */
export type Labels = Record<string, string>;

export interface Selector {
    matchLabels?: Labels;
    matchExpressions?: { key: string; operator: 'In'; values: string[] }[];
}

export interface Probe {
    httpGet?: { path: string; port: string };
    tcpSocket?: { port: string };
    exec?: { command: string[] };
    initialDelaySeconds?: number;
    periodSeconds: number;
    failureThreshold: number;
    timeoutSeconds: number;
}

type Reference = { name: string; key?: string };

export interface Container {
    name: string;
    image: string;
    command?: string[];
    args?: string[];
    ports?: { name: string; containerPort: number; hostPort?: number }[];
    env?: {
        name: string;
        value?: string;
        valueFrom?: { secretKeyRef?: Reference; fieldRef?: { fieldPath: string } };
    }[];
    envFrom?: { configMapRef?: Reference; secretRef?: Reference }[];
    startupProbe?: Probe;
    livenessProbe?: Probe;
    readinessProbe?: Probe;
    lifecycle?: { preStop?: { sleep?: { seconds: number } } };
    resources?: { requests: Labels; limits: Labels };
    securityContext?: Record<string, unknown>;
    volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface PodSpec {
    serviceAccountName?: string;
    automountServiceAccountToken?: boolean;
    enableServiceLinks?: boolean;
    terminationGracePeriodSeconds: number;
    securityContext: Record<string, unknown>;
    initContainers?: Container[];
    containers: Container[];
    volumes?: { name: string; configMap?: { name: string }; persistentVolumeClaim?: { claimName: string } }[];
    hostNetwork?: boolean;
    hostPID?: boolean;
    hostIPC?: boolean;
}

export interface Workload extends Manifest {
    spec: {
        /** Without it an autoscaler says how many. */
        replicas?: number;
        selector: Selector;
        strategy?: { rollingUpdate: { maxSurge: number; maxUnavailable: number } };
        serviceName?: string;
        template: { metadata: { labels: Labels }; spec: PodSpec };
        volumeClaimTemplates?: { metadata: { name: string }; spec: { accessModes: string[] } }[];
    };
}

/** The objects of a kind, as what the caller knows them to be. */
export const ofKind = <T extends Manifest>(manifests: Manifest[], ...kinds: string[]): T[] =>
    manifests.filter(({ kind }) => kinds.includes(kind)) as T[];

export const named = <T extends Manifest>(manifests: Manifest[], kind: string, name: string): T => {
    const [found] = ofKind<T>(manifests, kind).filter(({ metadata }) => metadata.name === name);
    if (!found) throw new Error(`There is no ${kind} ${name}`);
    return found;
};

/** What the config map of the program says, whatever the hash in its name. */
export function settingsOf(manifests: Manifest[]): Labels {
    const maps = ofKind<Manifest & { data: Labels }>(manifests, 'ConfigMap');
    return maps.find(({ metadata }) => metadata.name.startsWith('settings-'))?.data ?? {};
}

export const workloadsOf = (manifests: Manifest[]): Workload[] => ofKind(manifests, 'Deployment', 'StatefulSet');
export const labelsOf = (workload: Workload): Labels => workload.spec.template.metadata.labels;
export const podOf = (workload: Workload): PodSpec => workload.spec.template.spec;
export const componentOf = (workload: Workload): string => labelsOf(workload)['app.kubernetes.io/component'] ?? '';
export const containersOf = ({ initContainers = [], containers }: PodSpec): Container[] => [
    ...initContainers,
    ...containers,
];
/** The container that does the work. */
export const mainOf = (workload: Workload): Container => {
    const [first] = podOf(workload).containers;
    if (!first) throw new Error(`${workload.metadata.name} has no container`);
    return first;
};

export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
    return (
        Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
        matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
    );
}

const UNITS: Record<string, number> = { '': 1, m: 0.001, mb: 1_000_000, gb: 1e9, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A quantity as Kubernetes writes it: `200m`, `512Mi`. */
export function amount(quantity: string | number): number {
    const [, digits = '', unit = ''] = /^([\d.]+)([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
    const factor = UNITS[unit];
    if (digits === '' || factor === undefined) throw new Error(`${quantity} is no quantity`);
    return Number(digits) * factor;
}
