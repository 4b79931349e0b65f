-- The lists of a webhook's deliveries, and the keys of one of them; `at` and scores are in milliseconds.
-- How long a delivery is kept after its end, and how many of those that have ended.
local KEPT_MS = 7 * 24 * 3600 * 1000
local KEPT_ENDED = 2000
-- How many are removed in one script at most.
local TRIMMED = 20

-- webhook: the key of the webhook · prefix: what the keys of deliveries begin with
local function lists_of(webhook, prefix)
    return {
        all = webhook .. ':deliveries',
        pending = webhook .. ':pending',
        ended = webhook .. ':ended',
        prefix = prefix,
    }
end

local function forget_delivery(lists, id)
    redis.call('UNLINK', lists.prefix .. id, lists.prefix .. id .. ':attempts')
    redis.call('ZREM', lists.all, id)
    redis.call('ZREM', lists.ended, id)
end

-- Removes some of those that ended long ago, or that are too many.
local function trim_deliveries(lists, at)
    local before = string.format('%d', at - KEPT_MS)
    local old = redis.call('ZRANGEBYSCORE', lists.ended, '-inf', before, 'LIMIT', 0, TRIMMED)
    for _, id in ipairs(old) do forget_delivery(lists, id) end
    local over = math.min(TRIMMED, redis.call('ZCARD', lists.ended) - KEPT_ENDED)
    if over <= 0 then return end
    for _, id in ipairs(redis.call('ZRANGE', lists.ended, 0, over - 1)) do forget_delivery(lists, id) end
end

local function end_delivery(lists, id, status, reason, at)
    local key = lists.prefix .. id
    local time = string.format('%d', at)
    redis.call('HSET', key, 'status', status, 'endedAt', time)
    if reason then redis.call('HSET', key, 'reason', reason) end
    redis.call('HDEL', key, 'nextAttemptAt', 'slotAt')
    redis.call('PEXPIRE', key, KEPT_MS)
    redis.call('PEXPIRE', key .. ':attempts', KEPT_MS)
    redis.call('ZREM', lists.pending, id)
    redis.call('ZADD', lists.ended, time, id)
    trim_deliveries(lists, at)
end

-- Has a delivery wait for its next attempt.
local function await_attempt(lists, id, next_at)
    local time = string.format('%d', next_at)
    redis.call('HSET', lists.prefix .. id, 'nextAttemptAt', time)
    redis.call('ZADD', lists.pending, time, id)
end

-- Begins a delivery anew, whatever has become of it; jobs of the round before find nothing to do.
local function begin_again(lists, id, at)
    local key = lists.prefix .. id
    redis.call('HSET', key, 'status', 'pending', 'tries', 0, 'startedAt', string.format('%d', at))
    redis.call('HDEL', key, 'endedAt', 'reason', 'slotAt')
    redis.call('PERSIST', key)
    redis.call('PERSIST', key .. ':attempts')
    redis.call('ZREM', lists.ended, id)
    await_attempt(lists, id, at)
    return redis.call('HINCRBY', key, 'round', 1)
end
