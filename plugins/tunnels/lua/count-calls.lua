-- Count calls through a tunnel, once however often this batch is sent.
-- KEYS[1] tunnel · KEYS[2] mark of the batch · KEYS[3] the tenant's relayed bytes, by month · KEYS[4] activity · what begin
-- the keys of: KEYS[5] the tunnel's days, KEYS[6] users, KEYS[7] shares · KEYS[8] tenant · KEYS[9] bytes that are not paid
-- ARGV[1] JSON {tunnelId, counts: {field: amount}, bytes, uses: [{shareId, count, isToken}], paying: plans that pay, markMs,
--         keepMs, keepMonthMs}
-- Returns 1 counted, 0 counted before
-- @include now
-- @include calendar
-- @include outbox
-- @include tunnel-status
-- @include relay-price
local batch = cjson.decode(ARGV[1])
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', batch.markMs) then return 0 end
local at = now()
local day = date_at(at)
local owner = redis.call('HGET', KEYS[1], 'userId')

if batch.bytes > 0 then
    local month = KEYS[3] .. day:sub(1, 6)
    redis.call('INCRBY', month, string.format('%.0f', batch.bytes))
    redis.call('PEXPIRE', month, batch.keepMonthMs)
    local plan = redis.call('HGET', KEYS[8], 'plan')
    for _, paying in ipairs(batch.paying) do
        if plan == paying then
            owe(KEYS[9], batch.tunnelId, owner or '', batch.bytes)
            redis.call('HSETNX', KEYS[9], 'settledAt', string.format('%d', at))
        end
    end
end
if not owner then return 1 end

for _, key in ipairs({ KEYS[5] .. day, KEYS[6] .. owner .. ':tunnel-metrics:' .. day }) do
    for field, amount in pairs(batch.counts) do
        redis.call('HINCRBY', key, field, string.format('%.0f', amount))
    end
    if redis.call('EXISTS', key) == 1 then redis.call('PEXPIRE', key, batch.keepMs) end
end
for _, use in ipairs(batch.uses) do
    local share = KEYS[7] .. use.shareId
    if redis.call('EXISTS', share) == 1 then
        if not use.isToken then
            redis.call('HINCRBY', share, 'uses', use.count)
            redis.call('HSET', share, 'lastUsedAt', string.format('%d', at))
        end
        local what = { 'shareId', use.shareId, 'count', string.format('%d', use.count) }
        local user = redis.call('HGET', share, 'userId')
        if user then what[5], what[6] = 'userId', user end
        note(KEYS[4], 'share_used', what)
    end
end
return 1
