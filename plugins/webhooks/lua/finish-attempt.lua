-- Note what an attempt came to, with its delivery and its webhook.
-- KEYS[1] delivery · KEYS[2] events · KEYS[3] audit · KEYS[4] webhook · KEYS[5] what the keys of deliveries begin with
-- ARGV[1] JSON {id, round, tries, outcome (delivered | failed | gone), status?, attempt, delay?, patience, kept,
--               disabled: {gone: {events, audit}, failing: {events, audit}}}
--               `delay` until the next attempt, none after the last; `patience` in ms without a success; `kept` attempts
-- Returns {0} nothing is left to do, {2, milliseconds} until the next attempt; then the reason the webhook was disabled
-- for by this, or ''
-- @include now
-- @include outbox
-- @include delivery-lists
local change = cjson.decode(ARGV[1])
local status, round, tries = unpack(redis.call('HMGET', KEYS[1], 'status', 'round', 'tries'))
local active, failing = unpack(redis.call('HMGET', KEYS[4], 'isActive', 'failingSince'))
if not status or not active then return { 0, '' } end

local at = now()
local time = string.format('%d', at)
local lists = lists_of(KEYS[4], KEYS[5])
local attempts = KEYS[1] .. ':attempts'
redis.call('RPUSH', attempts, change.attempt)
redis.call('LTRIM', attempts, -change.kept, -1)
if status ~= 'pending' then redis.call('PEXPIRE', attempts, KEPT_MS) end
redis.call('HSET', KEYS[4], 'lastDeliveryAt', time)
if change.status then
    redis.call('HSET', KEYS[4], 'lastStatus', change.status)
else
    redis.call('HDEL', KEYS[4], 'lastStatus')
end

if change.outcome == 'delivered' then
    redis.call('HDEL', KEYS[4], 'failingSince')
    if status == 'pending' then
        redis.call('HINCRBY', KEYS[1], 'tries', 1)
        end_delivery(lists, change.id, 'delivered', nil, at)
    end
    return { 0, '' }
end

if not failing then redis.call('HSET', KEYS[4], 'failingSince', time) end
local reason
if change.outcome == 'gone' then
    reason = 'gone'
elseif at - (failing or at) >= change.patience then
    reason = 'failing'
end
local is_news = reason and active == '1'
if is_news then
    redis.call('HSET', KEYS[4], 'isActive', 0, 'disabledReason', reason, 'updatedAt', time)
    redis.call('HINCRBY', KEYS[4], 'revision', 1)
    append_entries(KEYS[2], KEYS[3], change.disabled[reason], at)
end
local news = is_news and reason or ''

-- Another attempt was faster, or it was begun anew.
if status ~= 'pending' or round ~= change.round or tries ~= change.tries then return { 0, news } end
redis.call('HINCRBY', KEYS[1], 'tries', 1)
if reason or not change.delay then
    end_delivery(lists, change.id, 'failed', reason or 'exhausted', at)
    return { 0, news }
end
redis.call('HDEL', KEYS[1], 'slotAt')
await_attempt(lists, change.id, at + change.delay)
return { 2, news, change.delay }
