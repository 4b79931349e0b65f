import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasKubectl, OVERLAYS, render } from '../helpers/kubernetes.ts';
import { isAllowed, type End, type NetworkPolicy, type Port } from '../helpers/network-policies.ts';
import { ofKind } from '../helpers/workloads.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const pod = (component: string): End => ({
    pod: { 'app.kubernetes.io/name': 'llm-api-layer', 'app.kubernetes.io/component': component },
});
const elsewhere = (namespace: Record<string, string>, labels: Record<string, string> = {}): End => ({
    pod: labels,
    namespace,
});
const [api, worker, redis, another] = [pod('api'), pod('worker'), pod('redis'), { pod: { app: 'other' } }];
const gateway = elsewhere({ 'llm-api-layer/gateway': 'true' });
const prometheus = elsewhere({ 'llm-api-layer/prometheus': 'true' });
const anybody = elsewhere({ 'kubernetes.io/metadata.name': 'default' });
const dns = elsewhere({ 'kubernetes.io/metadata.name': 'kube-system' }, { 'k8s-app': 'kube-dns' });
const at = (address: string): End => ({ address });

const http = { number: 3000, name: 'http' };
const internal = { number: 3001, name: 'internal' };
const metrics = { number: 9464, name: 'metrics' };
const store = { number: 6379, name: 'redis' };
const https = { number: 443 };

const ALLOWED: [string, End, End, Port][] = [
    ['the gateway to the API', gateway, api, http],
    ['replicas to each other', api, api, internal],
    ['workers to tunnels', worker, api, internal],
    ['the API to Redis', api, redis, store],
    ['workers to Redis', worker, redis, store],
    ['Prometheus to the API', prometheus, api, metrics],
    ['Prometheus to workers', prometheus, worker, metrics],
    ['the API to names', api, dns, { number: 53, protocol: 'UDP' }],
    ['Redis to names', redis, dns, { number: 53, protocol: 'TCP' }],
    ['the API to providers', api, at('160.79.104.10'), https],
    ['workers to webhooks', worker, at('203.0.113.7'), https],
    ['the API to providers by IPv6', api, at('2607:6bc0::10'), https],
    ['the API to a mail server', api, at('203.0.113.25'), { number: 587 }],
];
const REFUSED: [string, End, End, Port][] = [
    ['anybody to the API', anybody, api, http],
    ['anybody to Redis', anybody, redis, store],
    ['anybody to the metrics', anybody, api, metrics],
    ['another pod to Redis', another, redis, store],
    ['another pod to replicas', another, api, internal],
    ['the gateway to replicas', gateway, api, internal],
    ['the gateway to the metrics', gateway, api, metrics],
    ['the gateway to workers', gateway, worker, metrics],
    ['Prometheus to the API itself', prometheus, api, http],
    ['Prometheus to Redis', prometheus, redis, store],
    ['the API to workers', api, worker, metrics],
    ['Redis to the API', redis, api, http],
    ['Redis to the world', redis, at('203.0.113.7'), https],
    ['the API to metadata of the cloud', api, at('169.254.169.254'), https],
    ['workers to metadata of the cloud', worker, at('169.254.169.254'), { number: 80 }],
    ['workers to metadata of the cloud by IPv6', worker, at('fd00:ec2::254'), https],
    ['the API to the rest of the cluster', api, at('10.96.0.1'), https],
    ['workers to a private network', worker, at('192.168.1.1'), https],
    ['the API to the world by HTTP', api, at('203.0.113.7'), { number: 80 }],
    ['another pod to the world', another, at('203.0.113.7'), https],
    ['the API to other names', api, anybody, { number: 53, protocol: 'UDP' }],
];

describe('The network policies', { skip: !hasKubectl }, () => {
    for (const folder of OVERLAYS.filter((name) => name !== 'monitoring')) {
        it(`of ${folder} let through what is needed, and nothing else`, () => {
            const policies = ofKind<NetworkPolicy>(render(folder), 'NetworkPolicy');
            const passes = ([, from, to, port]: [string, End, End, Port]) => isAllowed(policies, from, to, port);
            const names = (cases: typeof ALLOWED) => cases.map(([name]) => name);
            expect(names(ALLOWED.filter((one) => !passes(one)))).to.equal([]);
            expect(names(REFUSED.filter(passes))).to.equal([]);
        });
    }

    it('begin with one that lets nothing through', () => {
        const [first] = ofKind<NetworkPolicy>(render('base'), 'NetworkPolicy').filter(
            ({ metadata }) => metadata.name === 'default-deny',
        );
        expect(first?.spec).to.equal({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    });
});
