-- Say when a proxy is to be checked again, unless somebody else has said so meanwhile, or has taken it.
-- KEYS[1] proxies to be checked, by when they are due
-- ARGV[1] proxy · ARGV[2] end of the lease that it was taken under · ARGV[3] in how many milliseconds
-- Returns 1 said, 0 not ours any more
-- @include now
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%d', now() + ARGV[3]), ARGV[1])
return 1
