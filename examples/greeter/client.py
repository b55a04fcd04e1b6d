import sys
from foolscap.api import Tub
from twisted.internet import reactor

tub = Tub()
tub.startService()
d = tub.getReference(sys.argv[1])
d.addCallback(lambda greeter: greeter.callRemote("greet", "world"))
d.addCallbacks(print, lambda failure: print(failure.value))
d.addBoth(lambda _: reactor.stop())
reactor.run()
