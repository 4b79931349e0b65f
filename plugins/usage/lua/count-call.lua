-- Count a call of a model, once under its id.
-- KEYS[1] what the user's counters begin with · KEYS[2] mark of the call
-- ARGV[1] milliseconds that the mark is kept · then {field, amount, …}
-- Returns 1 counted, 0 counted before
-- @include now
-- @include calendar
-- @include usage
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
count_usage(KEYS[1], { unpack(ARGV, 2) }, now())
return 1
