-- Claim a domain for a tenant that is about to be created, or to have it in the place of another one.
-- KEYS[1] domain (string: tenant id) · KEYS[2] claims (zset by time: "<tenant id> <domain>")
-- ARGV[1] tenant id · ARGV[2] domain · ARGV[3] the domain it had before or '', which is to be looked at as well
-- Returns the time of the claim, by which only this one is confirmed or released; 0 taken
-- @include now
if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
local at = now()
if ARGV[3] ~= '' then
    -- No two changes of a domain have the same time.
    local before = redis.call('ZSCORE', KEYS[2], ARGV[1] .. ' ' .. ARGV[3])
    if before and tonumber(before) >= at then at = before + 1 end
    redis.call('ZADD', KEYS[2], string.format('%d', at), ARGV[1] .. ' ' .. ARGV[3])
end
redis.call('ZADD', KEYS[2], string.format('%d', at), ARGV[1] .. ' ' .. ARGV[2])
return at
