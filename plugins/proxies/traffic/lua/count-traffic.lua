-- Count calls through a proxy, once however often this batch is sent; not of a proxy that is gone.
-- KEYS[1] proxy · KEYS[2] mark of the batch · KEYS[3] what the keys of the proxy's days begin with
-- ARGV[1] JSON {counts: {field: amount}, members: {field: amount}, markMs, keepMs}
-- Returns 1 counted, 0 counted before, or gone
-- @include now
-- @include calendar
local batch = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', batch.markMs) then return 0 end
local day = KEYS[3] .. date_at(now())

for key, counts in pairs({ [day] = batch.counts, [day .. ':members'] = batch.members }) do
    for field, amount in pairs(counts) do redis.call('HINCRBY', key, field, string.format('%.0f', amount)) end
    redis.call('PEXPIRE', key, batch.keepMs)
end
return 1
