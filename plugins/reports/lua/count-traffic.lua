-- Count requests of a process, once however often they are told.
-- KEYS[1] what the keys begin with: `<traffic>:<period>` are hashes of `requests`, `errors` and `code:<code>`, and
-- `<traffic>:active:<date>` says whom a day has seen (HyperLogLog)
-- KEYS[2] number of the last batch of that process
-- ARGV[1] number of the batch · ARGV[2] JSON {periods: {period: {what: count}}, active: {date: [user, …]}}
-- Returns 1 counted, 0 it was before
local DAY = 86400
local KEPT = { hour = 8 * DAY, day = 400 * DAY, month = false }
local ACTIVE_KEPT = 32 * DAY
if tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', DAY)
local batch = cjson.decode(ARGV[2])
for period, counts in pairs(batch.periods) do
    local key = KEYS[1] .. ':' .. period
    for what, count in pairs(counts) do redis.call('HINCRBY', key, what, count) end
    local kept = KEPT[period:match('^%a+')]
    if kept then redis.call('EXPIRE', key, kept) end
end
for date, users in pairs(batch.active) do
    local key = KEYS[1] .. ':active:' .. date
    for _, user in ipairs(users) do redis.call('PFADD', key, user) end
    redis.call('EXPIRE', key, ACTIVE_KEPT)
end
return 1
