-- Take proxies that are due. One process takes each: to check it, under a lease; to sample it, until it is due again.
-- KEYS[1] proxies to be checked, KEYS[2] to be sampled, by when they are due
-- ARGV[1] lease in ms · ARGV[2] how many to check · ARGV[3] until they are sampled again, in ms · ARGV[4] how many
-- Returns {{proxy, …}, {proxy, …}, end of the leases}
-- @include now
local at = now()
local function take(key, until_next, most)
    if tonumber(most) == 0 then return {} end
    local found = redis.call('ZRANGEBYSCORE', key, '-inf', string.format('%d', at), 'LIMIT', 0, most)
    for _, proxy in ipairs(found) do redis.call('ZADD', key, string.format('%d', at + until_next), proxy) end
    return found
end
return { take(KEYS[1], ARGV[1], ARGV[2]), take(KEYS[2], ARGV[3], ARGV[4]), string.format('%d', at + ARGV[1]) }
