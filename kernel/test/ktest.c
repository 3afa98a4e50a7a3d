#include "guest.h"
void root_main(void);
static volatile uint64_t shared;
uint64_t echo(uint64_t a,uint64_t b,uint64_t c,uint64_t d,uint64_t badge);
uint64_t echo(uint64_t a,uint64_t b,uint64_t c,uint64_t d,uint64_t badge){ (void)d; return a+b+c+badge; }
GUEST_ENTRY(echo);
static void worker(uint64_t x){ shared=x; pith_thread_exit(); }
void root_main(void){
  guest_puts("start\n");
  uint32_t sp=guest_space();
  guest_puts("space\n");
  struct guest_service s=guest_service(sp,3,echo_entry,2,1000);
  guest_puts("service\n");
  uint64_t r=0; int64_t st=guest_call(s.gate,1,2,3,&r);
  guest_printf("call: %ld %lu\n",st,r);
  st=guest_call(s.gate,1,2,4,&r);
  guest_printf("call: %ld %lu\n",st,r);
  guest_printf("bad call: %ld\n",guest_call(999,1,2,4,&r));
  uint32_t t=guest_thread(sp,worker,77,BOOTINFO->cores-1,20);
  guest_thread_wait(t);
  guest_printf("thread: %lu\n",shared);
  uint32_t n=guest_notification();
  GUEST_MUST(pith_notify_raise(n,5));
  guest_printf("wait %lu\n",GUEST_MUST(pith_notify_wait(n,DEADLINE_NEVER)));
  uint64_t t0=guest_now_ns();
  guest_printf("timeout %ld\n",pith_notify_wait(n,t0+5000000).status);
  guest_printf("after %lu us\n",(guest_now_ns()-t0)/1000);
  guest_puts("PASS hello\nDONE\n");
  guest_exit(0);
}
