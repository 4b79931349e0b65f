import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { addressIn, parsePrivateRange } from '../../src/private-range.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('parsePrivateRange', () => {
    const ends = (cidr: string) => {
        const { block, first, last } = parsePrivateRange(cidr);
        return [addressIn(block, first), addressIn(block, last)];
    };

    it('leaves out the network and the broadcast address', () => {
        expect(ends('10.64.0.0/16')).to.equal(['10.64.0.1', '10.64.255.254']);
        expect(ends('10.0.0.0/8')).to.equal(['10.0.0.1', '10.255.255.254']);
        expect(ends('172.16.0.0/12')).to.equal(['172.16.0.1', '172.31.255.254']);
        expect(ends('192.168.0.0/16')).to.equal(['192.168.0.1', '192.168.255.254']);
        expect(ends('192.168.7.252/30')).to.equal(['192.168.7.253', '192.168.7.254']);
    });

    it('counts from the start of the private block', () => {
        expect(parsePrivateRange('10.64.0.0/16')).to.equal({
            cidr: '10.64.0.0/16',
            block: '10.0.0.0/8',
            first: 64 * 65_536 + 1,
            last: 65 * 65_536 - 2,
        });
        expect(parsePrivateRange('172.16.0.0/30')).to.include({ block: '172.16.0.0/12', first: 1, last: 2 });
        expect(parsePrivateRange('192.168.1.0/24')).to.include({ block: '192.168.0.0/16', first: 257, last: 510 });
    });

    const faultOf = (cidr: string): string => {
        try {
            parsePrivateRange(cidr);
        } catch (error) {
            return (error as Error).message;
        }
        return '';
    };

    it('refuses what is no IPv4 range', () => {
        const odd = ['', '10.64.0.0', '10.64/16', '010.64.0.0/16', '10.256.0.0/16', '0xa.0.0.0/8', 'fd00::/8'];
        const oddPrefixes = ['10.64.0.0/', '10.64.0.0/x', '10.64.0.0/-1', '10.64.0.0/016', '10.64.0.0/16/1'];
        for (const cidr of [...odd, ...oddPrefixes]) {
            expect(faultOf(cidr), cidr).to.equal('needs an IPv4 range like 10.64.0.0/16');
        }
    });

    it('refuses ranges that are too large or too small', () => {
        for (const cidr of ['10.0.0.0/7', '10.64.0.0/0', '10.64.0.0/31', '10.64.0.0/32', '10.64.0.0/99']) {
            expect(faultOf(cidr), cidr).to.equal('needs a range of /8 to /30, like 10.64.0.0/16');
        }
    });

    it('says where a range begins', () => {
        expect(faultOf('10.64.3.7/16')).to.equal('begins in the middle of its range; write 10.64.0.0/16');
    });

    it('refuses addresses that are not private, or not all of them', () => {
        const others = ['8.8.8.0/24', '127.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10', '172.32.0.0/16'];
        for (const cidr of [...others, '172.0.0.0/8', '172.16.0.0/11', '192.168.0.0/15', '192.0.0.0/8']) {
            expect(faultOf(cidr), cidr).to.equal(
                'needs a range of private addresses, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16',
            );
        }
    });
});
