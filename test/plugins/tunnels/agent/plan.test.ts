import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { planTargets } from '../../../../plugins/tunnels/agent/plan.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const own = (url: string, priority = 1) => ({ url: new URL(url), priority, weight: 1 });
const named = (id: string, url: string, priority = 0) => ({ id, url, priority, weight: 5 });
const planned = ({ targets }: ReturnType<typeof planTargets>) =>
    targets.map(({ id, url, priority, weight }) => [id, url.href, priority, weight]);
const NOT_MANAGED = 'Not followed: start the agent with --managed';

describe('planTargets', () => {
    it('takes its own targets by their address while nothing was named', () => {
        for (const isManaged of [true, false]) {
            const plan = planTargets({ targets: [own('http://a:1/x')], isManaged }, []);
            expect(planned(plan)).to.equal([['http://a:1/x', 'http://a:1/x', 1, 1]]);
            expect(plan.unfollowed).to.equal([]);
        }
    });

    it('follows what was named, and nothing else, when it is managed', () => {
        const endpoints = [named('e1', 'http://b:2'), named('e2', 'https://c/base')];
        const plan = planTargets({ targets: [own('http://a:1')], isManaged: true }, endpoints);
        expect(planned(plan)).to.equal([
            ['e1', 'http://b:2/', 0, 5],
            ['e2', 'https://c/base', 0, 5],
        ]);
        expect(plan.unfollowed).to.equal([]);
    });

    it('takes of what was named only priority and weight of its own targets when it is not', () => {
        const targets = [own('http://a:1/x'), own('http://b:2', 3)];
        const plan = planTargets({ targets, isManaged: false }, [
            named('e1', 'http://A:1/x/', 7),
            named('e2', 'http://10.0.0.1:22'),
        ]);
        expect(planned(plan)).to.equal([
            ['e1', 'http://a:1/x/', 7, 5],
            ['http://b:2/', 'http://b:2/', 3, 1],
        ]);
        expect(plan.unfollowed).to.equal([{ endpoint: 'e2', isHealthy: false, latencyMs: null, error: NOT_MANAGED }]);
    });

    it('tells two services apart by scheme, host, port and base path', () => {
        const targets = [own('http://a:1/x')];
        for (const url of ['https://a:1/x', 'http://b:1/x', 'http://a:2/x', 'http://a:1/y', 'http://a:1/']) {
            const { unfollowed } = planTargets({ targets, isManaged: false }, [named('e', url)]);
            expect(unfollowed[0]?.error, url).to.equal(NOT_MANAGED);
        }
    });

    it('does not follow what is not the address of a service, managed or not', () => {
        for (const url of [
            'file:///etc/passwd',
            'a',
            '',
            'http://u:p@a',
            'http://:p@a',
            'http://a?x=1',
            'http://a#b',
        ]) {
            const { targets, unfollowed } = planTargets({ targets: [], isManaged: true }, [named('e', url)]);
            expect(targets, url).to.equal([]);
            expect(unfollowed[0]?.error ?? '', url).to.startWith('Not followed: it is not');
        }
    });
});
