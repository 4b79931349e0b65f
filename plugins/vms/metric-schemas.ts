import Joi from 'joi';

import { ofEachFigure } from './figures.ts';
import { idSchema } from '../../src/ids.ts';

export interface MetricsParams {
    vmId: string;
}

export const metricsParams = Joi.object<MetricsParams>({ vmId: idSchema('vm').required() }).label('MetricsParams');

export interface HistoryQuery {
    hours: number;
    interval: number;
}

export const historyQuery = Joi.object<HistoryQuery>({
    hours: Joi.number().integer().min(1).max(168).default(24).description('how far back, from now'),
    interval: Joi.number().integer().min(5).max(3_600).default(300).description('seconds'),
}).label('MetricsHistoryQuery');

const figure = () => Joi.number().min(0).allow(null);
const percent = () => figure().max(100).description('per cent');
const bytes = () => figure().description('bytes per second');

const isSimulated = Joi.boolean().description('the figures are made up and measure nothing');
const vmId = Joi.string();

export const metricsAnswer = Joi.object({
    metrics: Joi.object({
        vmId,
        status: Joi.string().description('of the VM'),
        at: Joi.string().isoDate(),
        cpuPercent: percent(),
        memoryPercent: percent(),
        diskPercent: percent(),
        networkInBytesPerSecond: bytes(),
        networkOutBytesPerSecond: bytes(),
        isSimulated,
        unavailable: Joi.object()
            .pattern(Joi.string(), Joi.string())
            .description('why a figure is null, by its name')
            .label('UnavailableFigures'),
    }).label('VmMetrics'),
}).label('VmMetricsData');

const statistics = Joi.object({ average: Joi.number(), min: Joi.number(), max: Joi.number() })
    .allow(null)
    .label('FigureStatistics');
const trend = Joi.string().valid('up', 'down', 'stable').allow(null);

export const historyAnswer = Joi.object({
    history: Joi.object({
        vmId,
        from: Joi.string().isoDate(),
        to: Joi.string().isoDate(),
        intervalSeconds: Joi.number().integer(),
        points: Joi.number().integer().description('how many samples there are'),
        isSimulated,
        buckets: Joi.array()
            .items(
                Joi.object({
                    at: Joi.string().isoDate().description('when the interval begins'),
                    points: Joi.number().integer(),
                    ...ofEachFigure(() => statistics),
                }).label('MetricsBucket'),
            )
            .label('MetricsBuckets')
            .description('the oldest first, without those that have no sample'),
        trends: Joi.object(ofEachFigure(() => trend))
            .label('MetricsTrends')
            .description('the second half of the samples against the first; up to a tenth more or less is stable'),
    }).label('MetricsHistory'),
}).label('MetricsHistoryData');

export const metricsExample = {
    vmId: 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    status: 'running',
    at: '2026-11-20T10:30:00.000Z',
    cpuPercent: 31.27,
    memoryPercent: 48.9,
    diskPercent: 22.14,
    networkInBytesPerSecond: 481_220.5,
    networkOutBytesPerSecond: 120_876.25,
    isSimulated: true,
    unavailable: {},
};

export const historyExample = {
    vmId: 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    from: '2026-11-20T09:30:00.000Z',
    to: '2026-11-20T10:30:00.000Z',
    intervalSeconds: 300,
    points: 2,
    isSimulated: true,
    buckets: [
        {
            at: '2026-11-20T10:25:00.000Z',
            points: 2,
            cpuPercent: { average: 31, min: 30, max: 32 },
            memoryPercent: { average: 48.5, min: 48, max: 49 },
            diskPercent: { average: 22.15, min: 22.1, max: 22.2 },
            networkInBytesPerSecond: { average: 1_500, min: 1_000, max: 2_000 },
            networkOutBytesPerSecond: { average: 650, min: 600, max: 700 },
        },
    ],
    trends: {
        cpuPercent: 'stable',
        memoryPercent: 'stable',
        diskPercent: 'stable',
        networkInBytesPerSecond: 'up',
        networkOutBytesPerSecond: 'down',
    },
};
