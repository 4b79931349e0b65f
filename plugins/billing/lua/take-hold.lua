-- Take a hold on a tenant's credits.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON of the hold, as `take_hold` has it
-- Returns {1, held, what could be had besides}, {0} it has been settled; or {code of `room_for`, what goes with it}
-- @include now
-- @include lease-time
-- @include calendar
-- @include outbox
-- @include credits
-- @include holds
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
return { take_hold(keys, cjson.decode(ARGV[1]), now()) }
