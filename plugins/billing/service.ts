import { Bill } from './bill.ts';
import { settlementOf } from './model-bill.ts';

import type { BillingService } from './api.ts';
import type { CreditMeter } from './credit-meter.ts';
import type { Keeper } from './keeper.ts';
import type { PriceService } from './price-service.ts';
import type { BillingStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { ModelService } from '../models/api.ts';

export interface BillingParts {
    store: BillingStore;
    keeper: Keeper;
    models: ModelService;
    prices: PriceService;
    meter: CreditMeter;
    clock: Clock;
    logger: Logger;
}

/** What others pay with. */
export function createBillingService({
    store,
    keeper,
    models,
    prices,
    meter,
    clock,
    logger,
}: BillingParts): BillingService {
    return {
        key: (tenantId) => store.key(tenantId),
        refusal: (reply) => store.refusal(reply),
        bill: ({ isNoted = false, ...order }, calls) =>
            Bill.of({ models, keeper, logger, at: clock(), isNoted }, order, calls),
        register: (tenantId) => keeper.register(tenantId),
        take: async (bill) => {
            const { tenantId } = bill.record.payer;
            await keeper.register(tenantId);
            return bill.taken(await store.takeHold(tenantId, bill.hold));
        },
        opened: (bill, reply) => bill.taken(store.held(reply)),
        settlementOf,
        settle: (tenantId, settlement) => keeper.settle(tenantId, settlement),
        settled: ({ entry, cost }) => meter(entry.type, BigInt(cost)),
        sweep: () => keeper.sweep(),
        credits: (tenantId) => store.read(tenantId),
        addPrices: (added) => prices.add(added),
    };
}
