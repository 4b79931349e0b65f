-- Look whether a delivery is to be attempted now. One whose turn is later, by the limits of its webhook, keeps that turn.
-- KEYS[1] delivery · KEYS[2] webhook · KEYS[3] tenant · KEYS[4] what the keys of deliveries begin with
-- then the rate of each limit
-- ARGV[1] JSON {id, round, limits: [{limit, window in s}], lifetime in ms, pause in ms}
--               `pause`: how long a delivery waits while the tenant is suspended
-- Returns {1, time, delivery, webhook} now, {2, milliseconds} later, {0} it has ended or was begun anew
-- @include now
-- @include gcra
-- @include delivery-lists
-- While the tenant is restored, its webhooks may not all be there: milliseconds until it is looked again.
local RESTORING_PAUSE = 15000

local change = cjson.decode(ARGV[1])
local status, round, started, next_at, slot =
    unpack(redis.call('HMGET', KEYS[1], 'status', 'round', 'startedAt', 'nextAttemptAt', 'slotAt'))
if status ~= 'pending' or round ~= change.round then return { 0 } end
if redis.call('HEXISTS', KEYS[3], 'restoring') == 1 then return { 2, RESTORING_PAUSE } end

local at = now()
local lists = lists_of(KEYS[2], KEYS[4])
local active = redis.call('HGET', KEYS[2], 'isActive')
-- What is left of a webhook that was deleted is removed without us.
if not active then return { 0 } end
if active ~= '1' then
    end_delivery(lists, change.id, 'cancelled', 'disabled', at)
    return { 0 }
end
if at - started > change.lifetime then
    end_delivery(lists, change.id, 'cancelled', 'expired', at)
    return { 0 }
end
if redis.call('HGET', KEYS[3], 'status') ~= 'active' then
    await_attempt(lists, change.id, at + change.pause)
    return { 2, change.pause }
end
if tonumber(next_at) > at then return { 2, next_at - at } end

if not slot then
    local wait = 0
    local rates = {}
    for n, limit in ipairs(change.limits) do
        rates[n] = gcra_peek(KEYS[4 + n], limit.limit, limit.window, at)
        wait = math.max(wait, math.ceil(rates[n].over / 1000))
    end
    for _, rate in ipairs(rates) do gcra_take(rate) end
    if wait > 0 then
        redis.call('HSET', KEYS[1], 'slotAt', string.format('%d', at + wait))
        await_attempt(lists, change.id, at + wait)
        return { 2, wait }
    end
end
return { 1, at, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]) }
