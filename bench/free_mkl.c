/* Answer MKL's question whether the processor is an Intel one. On others MKL takes slow paths that
   they do not need; preloaded, this doubles the speed of its matrix products there. */
int mkl_serv_intel_cpu_true(void) { return 1; }
