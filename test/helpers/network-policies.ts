import ipaddr from 'ipaddr.js';

import { selects, type Labels, type Selector } from './workloads.ts';

import type { Manifest } from './kubernetes.ts';

interface Peer {
    podSelector?: Selector;
    namespaceSelector?: Selector;
    ipBlock?: { cidr: string; except?: string[] };
}
interface Rule {
    from?: Peer[];
    to?: Peer[];
    ports: { protocol: string; port: number | string }[];
}
export interface NetworkPolicy extends Manifest {
    spec: { podSelector: Selector; policyTypes: string[]; ingress?: Rule[]; egress?: Rule[] };
}

/** An end of a connection: a pod of this namespace, one of another namespace, or an address. */
export type End = { pod: Labels } | { pod: Labels; namespace: Labels } | { address: string };

/** The port that a pod is asked on, by its number and, where it has one, its name. */
export interface Port {
    protocol?: string;
    number: number;
    name?: string;
}

const within = (address: string, cidr: string): boolean => {
    const [parsed, range] = [ipaddr.parse(address), ipaddr.parseCIDR(cidr)];
    return parsed.kind() === range[0].kind() && parsed.match(range);
};

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, end: End): boolean {
    if ('address' in end) {
        if (!ipBlock || !within(end.address, ipBlock.cidr)) return false;
        return !(ipBlock.except ?? []).some((cidr) => within(end.address, cidr));
    }
    if (ipBlock) return false;
    const isOurs = !('namespace' in end);
    const isThere = namespaceSelector ? !isOurs && selects(namespaceSelector, end.namespace) : isOurs;
    return isThere && selects(podSelector ?? {}, end.pod);
}

const isPort = (ports: Rule['ports'], { protocol = 'TCP', number, name }: Port): boolean =>
    ports.some((one) => one.protocol === protocol && (one.port === number || one.port === name));

/** Whether the policies let a connection through, as the specification of NetworkPolicy has it. */
export function isAllowed(policies: NetworkPolicy[], from: End, to: End, port: Port): boolean {
    const passes = (kind: 'Ingress' | 'Egress', self: End, other: End): boolean => {
        if ('address' in self || 'namespace' in self) return true;
        const concerned = policies.filter(
            ({ spec }) => spec.policyTypes.includes(kind) && selects(spec.podSelector, self.pod),
        );
        if (concerned.length === 0) return true;
        const rules = concerned.flatMap(({ spec }) => (kind === 'Ingress' ? spec.ingress : spec.egress) ?? []);
        return rules.some(
            (rule) => (rule.from ?? rule.to ?? []).some((peer) => isPeer(peer, other)) && isPort(rule.ports, port),
        );
    };
    return passes('Egress', from, to) && passes('Ingress', to, from);
}
