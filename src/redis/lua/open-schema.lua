-- Note the schema of a store that has none noted: the program's own where no tenant is, else the baseline, 1.
-- KEYS[1] schema (hash) · KEYS[2] history (list of JSON) · KEYS[3] tenants · KEYS[4] claims of tenants to come
-- ARGV[1] number and ARGV[2] oldest of the program's schema · ARGV[3] version of the program
-- Returns 1 noted, 0 it was there
-- @include now
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local number, oldest, name = '1', '1', 'baseline'
if redis.call('EXISTS', KEYS[3], KEYS[4]) == 0 then number, oldest, name = ARGV[1], ARGV[2], 'new' end
redis.call('HSET', KEYS[1], 'number', number, 'oldest', oldest, 'program', ARGV[3])
local entry = { number = number, name = name, program = ARGV[3], at = string.format('%d', now()) }
redis.call('RPUSH', KEYS[2], cjson.encode(entry))
return 1
