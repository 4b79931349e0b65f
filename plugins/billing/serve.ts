import { CreditService } from './credit-service.ts';
import { HistoryService } from './history-service.ts';
import { HistoryStore } from './history-store.ts';
import { InvoiceService } from './invoice-service.ts';
import { InvoiceStore } from './invoice-store.ts';
import { LimitService } from './limit-service.ts';
import { LimitStore } from './limit-store.ts';
import { RefundStore } from './refund-store.ts';
import { getCostAnalysis } from './routes/get-cost-analysis.ts';
import { getCredits } from './routes/get-credits.ts';
import { getInvoice } from './routes/get-invoice.ts';
import { getLimits } from './routes/get-limits.ts';
import { getUsageSummary } from './routes/get-usage-summary.ts';
import { grantCredits } from './routes/grant-credits.ts';
import { listHistory } from './routes/list-history.ts';
import { listInvoices } from './routes/list-invoices.ts';
import { refundCharge } from './routes/refund-charge.ts';
import { setLimits } from './routes/set-limits.ts';
import { SummaryService } from './summary-service.ts';
import { SummaryStore } from './summary-store.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Server } from '@hapi/hapi';
import type { CreditMeter } from './credit-meter.ts';
import type { BillingStore } from './store.ts';
import type { Platform } from '../../src/platform.ts';

/** What tenants and the platform's cashiers see of credits and do with them. */
export function serveCredits(
    server: Server,
    { config, store, vault, clock }: Platform,
    billing: BillingStore,
    meter: CreditMeter,
): void {
    const { tenants, users } = server.plugins;
    const credits = new CreditService({
        store: billing,
        refunds: new RefundStore(store, meter),
        tenants,
        append: appendOutbox(store),
        config,
    });
    if (config.WELCOME_CREDITS > 0) tenants.onFound((tenantId) => credits.welcome(tenantId));
    server.route(getCredits(credits));
    server.route(grantCredits(credits, config.CREDIT_GRANT_LIMIT));
    server.route(refundCharge(credits));
    server.route(listHistory(new HistoryService(new HistoryStore(store, vault))));

    const limitStore = new LimitStore(store);
    users.onPurge((tenantId, userId) => limitStore.forgetUser(tenantId, userId));
    const limits = new LimitService(limitStore, clock);
    server.route(getLimits(limits));
    server.route(setLimits(limits));

    const summaries = new SummaryService(new SummaryStore(store), clock);
    server.route(getUsageSummary(summaries));
    server.route(getCostAnalysis(summaries));
    const invoices = new InvoiceService(new InvoiceStore(store, vault));
    server.route(listInvoices(invoices));
    server.route(getInvoice(invoices));
}
